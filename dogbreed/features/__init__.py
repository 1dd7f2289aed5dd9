"""What the frozen part of a network says of photos: computed once, kept, shared by runs."""
