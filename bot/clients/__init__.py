"""What goes over the network beside the channels: the robots of the company's work groups."""
