"""What only the lessons need: the laboratory (`lab`), plots, studies, exercises, the room check.

What people take home for their own work stands one level up, in `hpt_helpers`.
"""
