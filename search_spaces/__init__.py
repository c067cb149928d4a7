"""Search spaces: knobs, blueprints, blocks, counting and weight sharing."""
