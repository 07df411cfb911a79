"""Tables of trainings: what they hold, how they are read, and what they tell by themselves."""
