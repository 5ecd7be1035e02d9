"""Sessions: their objects, the signed cookie and the other stores, lifetimes, and the choice between them."""
