package server

import "nbdconform/reference/wire"

// write does NBD_CMD_WRITE.
func (t *transmission) write(r *request) error {
	if r.pages != nil {
		if err := r.pages.Store(t.memory); err != nil {
			return err
		}
		return t.persist(r)
	}
	if len(r.data) == 0 {
		return nil
	}
	if err := t.disk.WriteAt(r.data, r.Offset); err != nil {
		return err
	}
	return t.persist(r)
}

// trim does NBD_CMD_TRIM.
func (t *transmission) trim(r *request) error {
	if r.Length == 0 {
		return nil
	}
	if err := t.disk.Trim(r.Offset, r.Length); err != nil {
		return err
	}
	return t.persist(r)
}

// cache does NBD_CMD_CACHE.
func (t *transmission) cache(r *request) error {
	if r.Length == 0 {
		return nil
	}
	return t.disk.Cache(r.Offset, r.Length)
}

// writeZeroes does NBD_CMD_WRITE_ZEROES.
func (t *transmission) writeZeroes(r *request) error {
	if r.Length == 0 {
		return nil
	}
	noHole, fast := r.Flags&wire.CmdFlagNoHole != 0 || t.Dialect() == wire.WriteZeroesRFC, r.Flags&wire.CmdFlagFastZero != 0
	if err := t.disk.Zero(r.Offset, r.Length, noHole, fast); err != nil {
		return err
	}
	return t.persist(r)
}

// persist is NBD_CMD_FLAG_FUA: the reply waits for permanent storage.
func (t *transmission) persist(r *request) error {
	if r.Flags&wire.CmdFlagFUA == 0 {
		return nil
	}
	return t.disk.Flush()
}
