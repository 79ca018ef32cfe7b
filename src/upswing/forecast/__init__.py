"""What the next model will do, with its uncertainty."""
