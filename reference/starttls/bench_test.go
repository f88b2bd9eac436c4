package starttls_test

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"nbdconform/reference/starttls"
	"nbdconform/reference/starttls/pki"
)

func BenchmarkThroughput(b *testing.B) {
	b.Run("X.509", func(b *testing.B) { throughput(b, pki.Shared().Client("localhost"), pki.Shared().Server(false)) })
	b.Run("PSK", func(b *testing.B) {
		file := filepath.Join(b.TempDir(), "keys.psk")
		if err := os.WriteFile(file, []byte("alice:0123456789abcdef0123456789abcdef\n"), 0o600); err != nil {
			b.Fatal(err)
		}
		s, err := starttls.LoadPSKServer(file)
		if err != nil {
			b.Skip(err)
		}
		c, err := starttls.LoadPSKClient(file, "alice")
		if err != nil {
			b.Fatal(err)
		}
		throughput(b, c, s)
	})
}

// throughput sends 256 KiB from one side to the other.
func throughput(b *testing.B, c starttls.Client, s starttls.Server) {
	near, far := established(b, c, s)
	data := make([]byte, 256<<10)
	go func() {
		for range b.N {
			if _, err := near.Write(data); err != nil {
				return
			}
		}
	}()
	b.SetBytes(int64(len(data)))
	got := make([]byte, len(data))
	b.ResetTimer()
	for range b.N {
		if _, err := io.ReadFull(far, got); err != nil {
			b.Fatal(err)
		}
	}
}
