// Package debversion compares the versions of Debian packages, such as
// "1:7.2+dfsg-7+deb12u18", with each other and with bounds that say less than a
// whole version does, such as "7.1".
//
// The order is dpkg's, as package pault.ag/go/debian/version has it. What is
// added here is how a bound without an epoch or a revision is compared.
package debversion
