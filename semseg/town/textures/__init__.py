"""Pictures of which the town is made, painted once and shared by all its scenes."""
