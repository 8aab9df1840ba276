"""What is measured, against what; README.md holds the commands and the numbers."""
