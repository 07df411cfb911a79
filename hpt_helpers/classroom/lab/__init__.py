"""The laboratory: training jobs, problems, races, statistics, and the searches that are raced."""
