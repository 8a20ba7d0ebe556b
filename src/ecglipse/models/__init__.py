"""Networks: encoders, the projection, and the mask network. They know nothing of losses or views."""
