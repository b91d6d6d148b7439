"""What pytest loads of the kit: fixtures, which import what they need when they are used."""
