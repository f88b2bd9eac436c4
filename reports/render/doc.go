// Package render shows a run to people and programs.
//
// Every function here is pure: it reads a [result.Result], writes to a writer,
// and looks at nothing else: no clock, no environment, no files, no network.
// The same result gives the same bytes, so the formats have golden files, and
// each is read back by a strict consumer in the tests.
//
//	Terminal  the summary at the end of a run, 80 columns
//	Matrix    several runs side by side
//	HTML      one self-contained page
//	JUnit     for CI servers
//	SARIF     for code scanning
//	TAP       for test harnesses
//	Badge     one small picture
//	Markdown  for step summaries
//
// What a target says about itself is hostile until it is escaped: names of
// exports, error texts and stderr come from the program under test. Terminal
// output shows control characters as \x1b, and the XML, HTML and Markdown
// writers escape for their own format.
package render
