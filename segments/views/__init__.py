"""Pages of segments and the rule builder's answers."""
