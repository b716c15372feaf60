"""What people want kept as it is: pins, held pages, freezes, and going back."""
