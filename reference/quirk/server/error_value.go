package serverquirk

// ErrorUndefined sends an error value that the document does not know.
var ErrorUndefined = register(Quirk{
	Name: "error-undefined", Breaks: "layout.error.value",
	Doc:   "reports whatever fails as error 71",
	Hooks: onAnyError(fail(71)),
})
