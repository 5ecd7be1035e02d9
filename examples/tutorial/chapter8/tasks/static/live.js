// Shows the changes of others: reads the page again, and replaces the list.

const state = document.querySelector("#live");
const source = new EventSource(state.dataset.url);

source.addEventListener("change", async (event) => {
  const response = await fetch("/");
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  document.querySelector("#tasks").replaceWith(page.querySelector("#tasks"));
  state.textContent = JSON.parse(event.data).text;
});
