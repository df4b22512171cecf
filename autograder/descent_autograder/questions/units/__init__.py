"""One module a unit: cases, accepted variants and mistakes of its questions."""
