package main

// doctorCmd says what recording needs and what of it is here.
type doctorCmd struct{}
