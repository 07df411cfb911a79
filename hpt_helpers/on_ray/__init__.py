"""Searches on Ray, the only folder that needs the extra `ray`."""
