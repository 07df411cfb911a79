"""What only the lessons need. docs/package.md has a map of its rooms.

A lesson is a folder, such as `lesson_03`. Its `studies` are the measurements that it makes: each is
one function that repeats, pairs or counts, and returns a tidy table, a row for each measurement.
`studies.agreement??` in lesson 1 shows how one is made. Beside them stand its `exercises`, how they
are `explained`, its own `figures`, and its tests. What several lessons share stands in `lab`,
`tables`, `drawing`, `exercises` and `computing`.

What people take home for their own work stands one level up, in `hpt_helpers`.
"""
