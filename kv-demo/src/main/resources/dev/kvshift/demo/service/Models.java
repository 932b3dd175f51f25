package %PACKAGE%;

import dev.kvshift.model.Model;
import dev.kvshift.model.ModelCatalogue;
import java.util.List;

/** The models of this jar, for the runner and for {@code ./kv get}, {@code range} and others. */
public final class Models implements ModelCatalogue {
  @Override
  public List<Model> models() {
    return List.of(Notes.MODEL);
  }
}
