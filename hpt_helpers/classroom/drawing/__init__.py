"""Pictures of all lessons: plots, diagrams, a slider, and the challenge to beat a search."""
