"""``plugins check``: the test kit's checks on an installed plugin, and the card that says what they prove."""
