// Names and focus for parts that Material adds while the page runs.
"use strict";

(() => {
  let bars = 0;
  const complete = () => {
    for (const bar of document.querySelectorAll("nav.md-code__nav:not([aria-label])")) {
      bars += 1;
      bar.setAttribute("aria-label", `Code ${bars}`);
    }
    const scrolled = ".md-typeset__scrollwrap:not([tabindex]), .md-search-result pre:not([tabindex])";
    for (const part of document.querySelectorAll(scrolled)) part.tabIndex = 0;
  };
  new MutationObserver(complete).observe(document.documentElement, { childList: true, subtree: true });
  complete();
})();
