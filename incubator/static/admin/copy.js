// Copies the text of the field that a button names. Without this script the text is selected and copied by hand.
"use strict";
async function copy(button) {
    const field = document.getElementById(button.dataset.copy);
    field.select();
    try {
        await navigator.clipboard.writeText(field.value);
    } catch (error) {
        document.execCommand("copy"); // a page that came without TLS has no clipboard
    }
    button.parentElement.querySelector("[role=status]").textContent = button.dataset.done;
}
for (const button of document.querySelectorAll("[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", () => copy(button));
}
