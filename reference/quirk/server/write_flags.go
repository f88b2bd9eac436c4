package serverquirk

// UnknownFlagAccepted ignores command flags that it does not know.
var UnknownFlagAccepted = register(Quirk{
	Name: "unknown-flag-accepted", Breaks: "err.unknown-flag",
	Doc:   "ignores command flags that it does not know",
	Hooks: skip("err.unknown-flag"),
})

// InapplicableFlagAccepted ignores command flags that belong to another command.
var InapplicableFlagAccepted = register(Quirk{
	Name: "inapplicable-flag-accepted", Breaks: "err.inapplicable-flag",
	Doc:   "ignores command flags that the command does not have",
	Hooks: skip("err.inapplicable-flag"),
})
