"""``nas compare``: scaling rules from one base at equal cost, timed and trained."""
