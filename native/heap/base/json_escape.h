#pragma once

#include <string>
#include <string_view>

namespace crucible::heap {

/** The text between the quotes of a JSON string, as UTF-8. Broken escapes and lone surrogates become U+FFFD. */
[[nodiscard]] std::string unescape_json(std::string_view body);

}  // namespace crucible::heap
