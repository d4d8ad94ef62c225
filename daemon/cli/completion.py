"""`budget completion`: the script that teaches a shell our verbs."""

import click
from click.shell_completion import get_completion_class

from daemon.cli.group import budget

SHELLS = ("bash", "zsh", "fish", "powershell")


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    r"""Print the completion script of a shell.

    \b
    bash        eval "$(budget completion bash)"                 in ~/.bashrc
    zsh         eval "$(budget completion zsh)"                  in ~/.zshrc
    fish        budget completion fish | source                  in config.fish
    powershell  budget completion powershell | Out-String | Invoke-Expression
    """
    kind = get_completion_class(shell)
    assert kind is not None, "click knows the shells of SHELLS"
    click.echo(kind(budget, {}, "budget", "_BUDGET_COMPLETE").source())
