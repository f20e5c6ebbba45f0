"""What e-mails look like: blocks that a marketer arranges, compiled once per version into HTML and text."""
