"""The wiring, and the ground below everything: settings, data files, XML, log, clock, errors."""
