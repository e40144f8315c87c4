// Package ui tests the page of `pipec ui` in a browser: Chromium, driven by the script browser.mjs with playwright-core. One
// browser and one server are shared by all checks.
package ui
