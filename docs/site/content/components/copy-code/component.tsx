import { useEffect } from "react";

/** Gives each block of code a button that copies it. Without scripts there are no buttons. */
export default function CopyCode() {
  useEffect(() => {
    const buttons = [...document.querySelectorAll<HTMLElement>("figure.code")].map((figure) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "copy";
      button.textContent = "Copy";
      button.addEventListener("click", async () => {
        await navigator.clipboard.writeText(figure.querySelector("pre")?.textContent ?? "");
        button.textContent = "Copied";
        setTimeout(() => (button.textContent = "Copy"), 1500);
      });
      figure.append(button);
      return button;
    });
    return () => buttons.forEach((button) => button.remove());
  }, []);
  return null;
}
