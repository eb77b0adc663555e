"""What scripts/lab is made of: one noun per file."""
