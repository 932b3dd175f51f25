/** Key formats: how keys become bytes that sort as the keys do. */
@NullMarked
package dev.kvshift.model.key;

import org.jspecify.annotations.NullMarked;
