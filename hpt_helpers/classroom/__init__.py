"""What only the lessons need: exercises that check themselves, and the check of a room's laptop.

What people take home for their own work stands one level up, in `hpt_helpers`.
"""
