import { hydrateRoot } from "react-dom/client";
export { hydrateRoot };
