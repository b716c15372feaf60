"""What people want kept as it is: pins, held pages, and going back."""
