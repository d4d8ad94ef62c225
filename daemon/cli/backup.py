"""`budget backup`, `restore`, `migrate`: the journal's file, kept and brought back."""

from pathlib import Path

import click

from daemon.cli import units
from daemon.cli.journal import (
    DONE,
    Offline,
    counted,
    database,
    faults,
    home_of,
    load,
    size,
    stopped,
    summary,
    watched,
)
from daemon.cli.verb import Console


@click.command(cls=Offline)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.pass_obj
def backup(console: Console, /, file: Path) -> None:
    """Copy one moment of the journal to FILE and verify the copy. The daemon may be at work."""
    with faults(), watched() as progress:
        report = load("backup").back_up(database(console), file, progress)
    reply = {"backup": str(file), **summary(report)}
    text = f"{DONE} {file}: {counted(report)}, {size(file)}, verified\n  last  {report.last}"
    console.answer(reply, lambda: text)


@click.command(cls=Offline)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--accept-loss", is_flag=True, help="Though entries were written that it has not.")
@click.pass_obj
def restore(console: Console, /, file: Path, *, accept_loss: bool) -> None:
    """Make the backup FILE the journal. The daemon must be stopped; what was there is kept."""
    home = home_of(console)
    with stopped(home), watched() as progress:
        done = load("restore").restore(file, home, progress, accept_loss=accept_loss)
    kept = None if done.kept is None else str(done.kept)
    reply = {"data_dir": str(home), **summary(done.report), "lost": done.lost, "kept": kept}
    lines = [f"{DONE} {counted(done.report)} restored to {home}"]
    if done.lost:
        lost = units.count(done.lost, "entries")
        lines.append(f"  lost  {lost} written after this backup")
    if kept is not None:
        lines.append(f"  kept  {kept}")
    console.answer(reply, lambda: "\n".join((*lines, "  next  budget up · budget verify")))


@click.command(cls=Offline)
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@click.pass_obj
def migrate(console: Console, /, *, dry_run: bool) -> None:
    """Bring a stopped daemon's journal to this version's schema, after a backup.

    The daemon does the same when it starts; this verifies the result, too.
    """
    home = home_of(console)
    with stopped(home), watched() as progress:
        upgrade = load("upgrade")
        done = upgrade.pending(home) if dry_run else upgrade.upgrade(home, progress)
    kept = None if done.backup is None else str(done.backup)
    reply = {
        "data_dir": str(home), "schema_before": done.before, "schema_after": done.after,
        "entries": done.entries, "backup": kept, "dry_run": dry_run,
    }  # fmt: skip
    if kept is None:
        text = f"{DONE} schema {done.after}, as it should be; nothing to do"
    elif dry_run:
        text = f"  would go from schema {done.before} to {done.after}\n  backup  {kept}"
    else:
        entries = units.count(done.entries, "entries")
        text = f"{DONE} schema {done.before} → {done.after}, {entries}, verified\n  backup  {kept}"
    console.answer(reply, lambda: text)
