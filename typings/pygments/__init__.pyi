# What the package uses of Pygments, which publishes no types.
