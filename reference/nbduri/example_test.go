package nbduri_test

import (
	"fmt"

	"nbdconform/reference/nbduri"
)

func ExampleParse() {
	u, warnings, err := nbduri.Parse("nbd+unix:///hello%20world?socket=/run/nbd.sock&colour=blue")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s %q %q\n", u.Transport, u.Socket, u.Export)
	fmt.Println(warnings)
	// Output:
	// unix "/run/nbd.sock" "hello world"
	// [query parameter "colour" is not understood]
}
