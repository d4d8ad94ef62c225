"""What other programs have kept, read as it is: nothing here writes anything."""
