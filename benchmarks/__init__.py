"""What a durable reserve costs beside a bare answer: `python -m benchmarks [--quick]`."""
