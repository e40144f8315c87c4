pipec {
  project = "PROJECT"
}
