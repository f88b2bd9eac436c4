package server

// disconnect serves NBD_CMD_DISC: there is no reply, and all outstanding
// requests are served before the connection closes. Section "NBD_CMD_DISC".
func (t *transmission) disconnect(r *request) (done bool, err error) {
	if t.hooks.Reply == nil {
		r.release()
		return true, nil
	}
	return t.exchange(r, nil)
}
