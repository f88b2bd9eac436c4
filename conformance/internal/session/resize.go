package session

// Resized takes note of the size that the export has now.
func (s *Session) Resized(size uint64) { s.Size = size }
