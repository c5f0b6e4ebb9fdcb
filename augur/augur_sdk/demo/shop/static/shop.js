"use strict";

const part = (id) => document.getElementById(id);

async function ask(path, body) {
  const how = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
  const answer = await fetch(path, how);
  return { ok: answer.ok, ...(await answer.json()) };
}

function show(page) {
  for (const id of ["shop", "cart", "done"]) part(id).hidden = id !== page;
}

function element(tag, text, className = "") {
  const made = document.createElement(tag);
  made.textContent = text;
  made.className = className;
  return made;
}

function picture(product) {
  const figure = document.createElement("figure");
  figure.style.background = product.tint;
  figure.style.color = product.ink;
  figure.innerHTML = `<svg><use href="#${product.art}"/></svg>`;
  return figure;
}

function card(product) {
  const made = element("div", "", "card product");
  const button = element("button", "Add to cart");
  button.onclick = async () => showCount(await ask("api/cart", { id: product.id }));
  made.append(
    picture(product),
    element("div", product.name),
    element("div", product.blurb, "muted"),
    element("h1", `$${product.price}`),
    button,
  );
  return made;
}

function row(product) {
  const made = element("div", "", "row");
  const words = document.createElement("div");
  words.append(element("div", product.name), element("div", product.blurb, "muted"));
  made.append(picture(product), words, element("span", `$${product.price}`));
  return made;
}

function showCount(cart) {
  part("cart-button").textContent = `Cart (${cart.products.length})`;
}

async function search(words) {
  const { products } = await ask(`api/products?q=${encodeURIComponent(words)}`);
  part("shop-title").textContent = words ? `Results for ${words}` : "New this week";
  part("count").textContent = `${products.length} articles`;
  part("grid").replaceChildren(...products.map(card));
  show("shop");
}

part("login-form").onsubmit = async (event) => {
  event.preventDefault();
  const fields = Object.fromEntries(new FormData(event.target));
  const { ok } = await ask("api/login", fields);
  if (!ok) {
    part("login-note").textContent = "That is not right, try again";
    part("login-note").classList.add("wrong");
    return;
  }
  await search("");
  part("login").hidden = true;
  part("inside").hidden = false;
};

let invited = false;

part("search-form").onsubmit = async (event) => {
  event.preventDefault();
  document.activeElement.blur();
  await search(event.target.elements.q.value.trim());
  part("dialog").hidden = invited;
  invited = true;
};

part("dismiss").onclick = () => { part("dialog").hidden = true; };

part("cart-button").onclick = async () => {
  const { products, total } = await ask("api/cart");
  const empty = element("p", "Nothing in it yet", "muted empty");
  part("cart-rows").replaceChildren(...(products.length ? products.map(row) : [empty]));
  part("total").textContent = `Total  $${total}`;
  show("cart");
};

part("order-button").onclick = async () => {
  const { ok, total } = await ask("api/orders", {});
  if (!ok) return;
  showCount({ products: [] });
  part("done-note").textContent = `$${total} in all, on its way soon`;
  show("done");
};
