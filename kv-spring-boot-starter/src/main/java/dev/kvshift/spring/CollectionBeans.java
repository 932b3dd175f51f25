package dev.kvshift.spring;

import dev.kvshift.KvStore;
import dev.kvshift.model.Model;
import dev.kvshift.model.ModelCatalogue;
import dev.kvshift.model.PointModel;
import dev.kvshift.model.RangeModel;
import dev.kvshift.model.TypedPoint;
import dev.kvshift.model.TypedRange;
import org.springframework.beans.factory.BeanFactory;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.beans.factory.support.AutowireCandidateQualifier;
import org.springframework.beans.factory.support.BeanDefinitionRegistry;
import org.springframework.beans.factory.support.RootBeanDefinition;
import org.springframework.context.annotation.ImportBeanDefinitionRegistrar;
import org.springframework.core.type.AnnotationMetadata;

/**
 * Registers a bean for each model of the catalogues on the class path, named and qualified by its
 * collection.
 *
 * <p>The beans are lazy: a catalogue may have a company's models, of which a service opens those
 * that it injects, and no others.
 */
final class CollectionBeans implements ImportBeanDefinitionRegistrar {
  private final BeanFactory beans;
  private final ClassLoader loader;

  CollectionBeans(BeanFactory beans, ClassLoader loader) {
    this.beans = beans;
    this.loader = loader;
  }

  @Override
  public void registerBeanDefinitions(
      AnnotationMetadata importing, BeanDefinitionRegistry registry) {
    for (Model model : ModelCatalogue.find(loader).values()) {
      RootBeanDefinition bean = bean(model);
      bean.setLazyInit(true);
      bean.setDescription("collection " + model);
      bean.addQualifier(new AutowireCandidateQualifier(Qualifier.class, model.name()));
      registry.registerBeanDefinition(
          // A bean of the service may have the name of some collection of the company.
          registry.containsBeanDefinition(model.name()) ? "kvshift." + model.name() : model.name(),
          bean);
    }
  }

  private RootBeanDefinition bean(Model model) {
    if (model instanceof PointModel<?, ?> point) {
      return new RootBeanDefinition(
          TypedPoint.class, () -> point.open(beans.getBean(KvStore.class)));
    }
    RangeModel<?, ?, ?> range = (RangeModel<?, ?, ?>) model;
    return new RootBeanDefinition(TypedRange.class, () -> range.open(beans.getBean(KvStore.class)));
  }
}
