"""Tests of what only lesson 1 needs, and answers to its exercises."""
