// Names and focus for parts that Material adds while the page runs.
"use strict";

(() => {
  const complete = () => {
    for (const bar of document.querySelectorAll("nav.md-code__nav:not([role])")) {
      bar.setAttribute("role", "group");
      bar.setAttribute("aria-label", "Code");
    }
    const scrolled = ".md-typeset__scrollwrap:not([tabindex]), .md-search-result pre:not([tabindex])";
    for (const part of document.querySelectorAll(scrolled)) part.tabIndex = 0;
  };
  new MutationObserver(complete).observe(document.documentElement, { childList: true, subtree: true });
  complete();
})();
