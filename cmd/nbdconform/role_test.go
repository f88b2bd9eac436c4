package main

const roleVariable = "NBDCONFORM_TEST_ROLE"

func playRole(string) {}
